package fakewa

// taskHeap holds tasks with the next one due in front: by instant, then by number.
type taskHeap []task

func (t taskHeap) before(i, j int) bool {
	return t[i].due < t[j].due || t[i].due == t[j].due && t[i].n < t[j].n
}

func (t *taskHeap) push(x task) {
	h := append(*t, x)
	*t = h
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h.before(i, parent) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (t *taskHeap) pop() task {
	h := *t
	first, last := h[0], len(h)-1
	h[0], h[last] = h[last], task{}
	h = h[:last]
	*t = h
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first
		}
		if child+1 < last && h.before(child+1, child) {
			child++
		}
		if !h.before(child, i) {
			return first
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
