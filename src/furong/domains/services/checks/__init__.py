"""What `furong check` proves about services: nobody is asked what a body holds, and every file fits the others."""
