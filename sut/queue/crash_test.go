package queue_test

const crashDir = "QUEUE_CRASH_DIR"

func crashChild(dir string) int { return 0 }
