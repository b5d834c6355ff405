"""From a Dockerfile to an image: read, planned as a value, then carried out step by step."""
