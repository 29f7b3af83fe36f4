"""AWS on one machine, of real parts. Nothing that ships imports this package."""
