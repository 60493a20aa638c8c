//go:build !linux

package main

// unloadStart does nothing here.
func unloadStart() {}
