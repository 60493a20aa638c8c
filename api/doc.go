// Package api serves models over HTTP. The contract is openapi.yaml, embedded and served as /openapi.yaml: tests run every
// example of it against a live server and hold routes and answers to it.
//
//	request → media type, model → body (bounded, inflated) → dataset decoder → model → verdicts → JSON
//
// [New] builds a server and touches nothing outside; [Server.Run] listens until its context ends, then finishes the
// requests in flight. Everything that a request may make the server hold is bounded by [Config].
package api
