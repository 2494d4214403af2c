"""What both servers do with HTTP: hold a client to it, and log what it asked."""
