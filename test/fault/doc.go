// Package fault breaks what the product depends on, and looks whether it keeps its
// promises: PostgreSQL restarting, Redis dying or frozen, a mail relay that lies,
// slow clients, and being told to stop. It runs the real binary.
//
// What takes minutes runs by "make faults"; a smaller version runs with every test.
package fault
