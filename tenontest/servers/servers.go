// Package servers starts real PostgreSQL and Redis servers for tests, from the
// binaries of the machine, on free loopback ports, with data in a temporary
// folder. Whatever it started ends with the test binary, even one that is killed.
package servers
