"""What is asked: designs as coordinates, what targets want, and what is known of each problem."""
