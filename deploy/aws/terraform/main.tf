# The service with its load balancer. Topic, filter and queue are in queue.tf, rights in roles.tf.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

variable "region" {
  type = string
}

variable "image_tag" {
  description = "tag that push.sh printed"
  type        = string
}

variable "vpc_id" {
  type = string
}

variable "public_subnets" {
  description = "of the load balancer, in two zones at least"
  type        = list(string)
}

variable "private_subnets" {
  description = "of the tasks; they need a way to ECR, SSM, logs, SNS and SageMaker (NAT or endpoints)"
  type        = list(string)
}

variable "certificate_arn" {
  description = "certificate of ACM for the load balancer"
  type        = string
}

variable "allowed_cidrs" {
  description = "who may call the load balancer"
  type        = list(string)
}

variable "tasks" {
  type    = number
  default = 2
}

variable "sagemaker_endpoint" {
  description = "endpoint that classifies; empty: the built-in model does"
  type        = string
  default     = ""
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "self" {}

locals {
  account = data.aws_caller_identity.self.account_id
  # The file that aws ecs register-task-definition takes is the one source; only names are filled in here.
  named = replace(replace(replace(replace(file("${path.module}/../task-definition.json"),
  "ACCOUNT_ID", local.account), "\"AWS_REGION\"", "\"AWS__REGION\""), "REGION", var.region), ":TAG\"", ":${var.image_tag}\"")
  task      = jsondecode(replace(local.named, "AWS__${var.region}", "AWS_REGION"))
  container = local.task.containerDefinitions[0]
  endpoint = var.sagemaker_endpoint == "" ? [] : [
    { name = "AWS_SAGEMAKER_ENDPOINT", value = var.sagemaker_endpoint },
    { name = "MLIDS_FALLBACK", value = "cicflow" },
  ]
}

resource "aws_cloudwatch_log_group" "mlids" {
  name              = "/ecs/mlids"
  retention_in_days = 30
}

resource "aws_ecs_cluster" "mlids" {
  name = "mlids"
}

resource "aws_ecs_task_definition" "mlids" {
  family                   = local.task.family
  requires_compatibilities = local.task.requiresCompatibilities
  network_mode             = local.task.networkMode
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([merge(local.container, { environment = concat(local.container.environment, local.endpoint) })])

  volume {
    name = "state"
  }
}

resource "aws_security_group" "balancer" {
  name   = "mlids-balancer"
  vpc_id = var.vpc_id

  ingress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = var.allowed_cidrs
  }
  egress {
    protocol        = "tcp"
    from_port       = 5000
    to_port         = 5000
    security_groups = [aws_security_group.task.id]
  }
}

resource "aws_security_group" "task" {
  name   = "mlids-task"
  vpc_id = var.vpc_id

  egress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group_rule" "balancer_to_task" {
  type                     = "ingress"
  protocol                 = "tcp"
  from_port                = 5000
  to_port                  = 5000
  security_group_id        = aws_security_group.task.id
  source_security_group_id = aws_security_group.balancer.id
}

resource "aws_lb" "mlids" {
  name                       = "mlids"
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.balancer.id]
  subnets                    = var.public_subnets
  drop_invalid_header_fields = true
  idle_timeout               = 130
}

resource "aws_lb_target_group" "mlids" {
  name                 = "mlids"
  vpc_id               = var.vpc_id
  port                 = 5000
  protocol             = "HTTP"
  target_type          = "ip"
  deregistration_delay = 30

  health_check {
    path     = "/readyz"
    interval = 10
    timeout  = 5
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.mlids.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.mlids.arn
  }
}

resource "aws_ecs_service" "mlids" {
  name                              = "mlids"
  cluster                           = aws_ecs_cluster.mlids.id
  task_definition                   = aws_ecs_task_definition.mlids.arn
  desired_count                     = var.tasks
  launch_type                       = "FARGATE"
  health_check_grace_period_seconds = 30

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    subnets         = var.private_subnets
    security_groups = [aws_security_group.task.id]
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.mlids.arn
    container_name   = "mlids"
    container_port   = 5000
  }
  depends_on = [aws_lb_listener.https]
}

output "url" {
  value = "https://${aws_lb.mlids.dns_name}"
}
