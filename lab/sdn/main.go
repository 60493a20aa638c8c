// Command sdn is the laboratory of the network that defends itself.
package main

func main() {}
