"""The pages: what people see in a browser; views call services and read models."""
