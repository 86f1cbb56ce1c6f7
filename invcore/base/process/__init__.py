"""What belongs to the whole process, and plugins can change: kept, watched, put back."""
