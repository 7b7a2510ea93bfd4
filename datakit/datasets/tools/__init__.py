"""What annotation tools save: a reader for each, which says what stands in its files and how it fills a shape."""
