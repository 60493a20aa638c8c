# Every prediction goes to the topic; the subscription's filter passes attacks; what nobody could read lands in the dead letters.
terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0, < 8.0"
    }
  }
}

variable "project" {
  type = string
}

variable "region" {
  type = string
}

provider "google" {
  project = var.project
  region  = var.region
}

data "google_project" "self" {}

locals {
  # The Pub/Sub service itself moves dead letters.
  agent = "serviceAccount:service-${data.google_project.self.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "predictions" {
  name                       = "mlids-predictions"
  message_retention_duration = "604800s"
}

resource "google_pubsub_topic" "dead" {
  name = "mlids-attacks-dead"
}

resource "google_pubsub_subscription" "attacks" {
  name                       = "mlids-attacks"
  topic                      = google_pubsub_topic.predictions.id
  filter                     = "attributes.prediction = \"attack\""
  enable_message_ordering    = true
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 5
  }
}

resource "google_pubsub_subscription" "dead" {
  name                       = "mlids-attacks-dead"
  topic                      = google_pubsub_topic.dead.id
  message_retention_duration = "1209600s"

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "dead" {
  topic  = google_pubsub_topic.dead.id
  role   = "roles/pubsub.publisher"
  member = local.agent
}

resource "google_pubsub_subscription_iam_member" "dead" {
  subscription = google_pubsub_subscription.attacks.id
  role         = "roles/pubsub.subscriber"
  member       = local.agent
}

resource "google_pubsub_topic_iam_member" "service" {
  topic  = google_pubsub_topic.predictions.id
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:mlids@${var.project}.iam.gserviceaccount.com"
}

resource "google_service_account" "watch" {
  account_id   = "mlids-watch"
  display_name = "reads attacks"
}

resource "google_pubsub_subscription_iam_member" "watch" {
  subscription = google_pubsub_subscription.attacks.id
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.watch.member
}

output "topic" {
  value = google_pubsub_topic.predictions.id
}

output "subscription" {
  value = google_pubsub_subscription.attacks.id
}
