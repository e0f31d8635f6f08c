// Command tenon is the backend that every SaaS needs, in one binary.
package main

import "github.com/tenonhq/tenon/cli"

func main() { cli.Main() }
