# Every prediction goes to the topic; its filter passes attacks on to the queue; what nobody could read lands in the dead letters.
resource "aws_kms_key" "mlids" {
  description         = "mlids: predictions at rest"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
}

resource "aws_sns_topic" "predictions" {
  name              = "mlids-predictions"
  kms_master_key_id = aws_kms_key.mlids.arn
}

resource "aws_sqs_queue" "dead" {
  name                              = "mlids-attacks-dead"
  kms_master_key_id                 = aws_kms_key.mlids.arn
  message_retention_seconds         = 1209600
  kms_data_key_reuse_period_seconds = 300
}

resource "aws_sqs_queue" "attacks" {
  name                              = "mlids-attacks"
  kms_master_key_id                 = aws_kms_key.mlids.arn
  kms_data_key_reuse_period_seconds = 300
  message_retention_seconds         = 345600
  visibility_timeout_seconds        = 60
  redrive_policy                    = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 5 })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url            = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.attacks.arn] })
}

resource "aws_sns_topic_subscription" "attacks" {
  topic_arn            = aws_sns_topic.predictions.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.attacks.arn
  raw_message_delivery = true
  filter_policy_scope  = "MessageAttributes"
  filter_policy        = jsonencode({ prediction = ["attack"] })
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn })
}

resource "aws_sqs_queue_policy" "attacks" {
  for_each  = { attacks = aws_sqs_queue.attacks, dead = aws_sqs_queue.dead }
  queue_url = each.value.id
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

output "topic" {
  value = aws_sns_topic.predictions.arn
}

output "queue" {
  value = aws_sqs_queue.attacks.url
}
