"""AWS calls: the only room that imports boto3."""
