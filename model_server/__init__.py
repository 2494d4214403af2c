"""What runs in the pod: image bytes in, labels out."""
