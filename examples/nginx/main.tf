# The shop's web server on Fargate.

variable "image_tag" {
  type    = string
  default = "1.4.2"
}

variable "cluster" {
  type = string
}

variable "execution_role_arn" {
  type = string
}

variable "repository_url" {
  type = string
}

variable "security_group" {
  type = string
}

variable "subnets" {
  type = list(string)
}

resource "aws_cloudwatch_log_group" "web" {
  name              = "/ecs/shop"
  retention_in_days = 30
}

resource "aws_ecs_task_definition" "shop" {
  family                   = "shop"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256 # the smallest
  memory                   = 512
  execution_role_arn       = var.execution_role_arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([
    {
      name      = "web"
      image     = "${var.repository_url}:${var.image_tag}"
      essential = true
      portMappings = [
        {
          containerPort = 80
          protocol      = "tcp"
        }
      ]
      healthCheck = {
        command  = ["CMD-SHELL", "curl -fs http://localhost/ || exit 1"]
        interval = 30
        timeout  = 5
        retries  = 3
      }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          "awslogs-group"         = aws_cloudwatch_log_group.web.name
          "awslogs-region"        = "eu-west-1"
          "awslogs-stream-prefix" = "web"
        }
      }
    }
  ])
}

resource "aws_ecs_service" "shop" {
  name            = "shop"
  cluster         = var.cluster
  task_definition = aws_ecs_task_definition.shop.arn
  launch_type     = "FARGATE"
  desired_count   = 2

  network_configuration {
    subnets         = var.subnets
    security_groups = [var.security_group]
  }
}
