// Package sagemaker classifies tables by a model that Amazon SageMaker serves.
//
//	rows → chunks of split JSON under the service's limit → InvokeEndpoint (signed, again when throttled) → answers → verdicts
//
// It is a leaf: of all stages only the command line imports it, so that no other drags the AWS SDK in.
package sagemaker
