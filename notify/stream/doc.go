// Package stream is the durable stream that predictions and actions go into before anything is sent: NATS JetStream, built into
// the program with its files in a directory of its own, or an external cluster.
//
//	Open → Publish: returns when all messages are stored
//	     → Feed: one position per way out; a message is handed out until it is acknowledged
//	     → Bury, Dead, Replay, Drop: the dead letters, which have a stream of their own
//	     → Run: forgets what is old and no way out waits for
//
// The built-in server has no port unless it is given one. Other processes of the same user join it through a Unix socket in its
// directory.
package stream
