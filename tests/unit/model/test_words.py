from orchestrator.model.words import counted, listed


def test_one_thing_is_named_as_one():
    assert counted(1, "linked account") == "1 linked account"
    assert counted(0, "linked account") == "0 linked accounts"
    assert counted(2, "file that does", "files that do") == "2 files that do"


def test_the_first_are_named_and_the_rest_is_counted():
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed(["a: x", "b: y", "c: z"], 2, "; ") == "a: x; b: y; and 1 more"
