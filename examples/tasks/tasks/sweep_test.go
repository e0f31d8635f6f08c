package tasks_test

import (
	"testing"

	"github.com/tenonhq/tenon/tenontest"
)

// Your operations are attacked like ours are.
func TestEveryOperationRefusesWhoMayNot(t *testing.T) {
	tenontest.Each(t, func(t *testing.T, app *tenontest.App) { tenontest.Sweep(t, app) }, withTasks())
}
