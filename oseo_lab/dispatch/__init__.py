"""What happens next to an order item: the lifecycle, the planner, the dispatcher."""
