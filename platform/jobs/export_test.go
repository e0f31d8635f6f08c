package jobs

// Silence ends the signs of life of a node, as if its process had died: its jobs hang.
func (q *Queue) Silence() {
	q.end()
	q.loops.Wait()
}
