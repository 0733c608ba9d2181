"""The columns of a table: what they hold, what is learned of them, and how they become inputs."""
