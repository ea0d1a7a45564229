package behaviour_test

const childRoot = "BEHAVIOUR_CHILD_ROOT"

func beChild(string) int { return 0 }
