"""`datakit propagate`: a video and masks or boxes of its objects in, a label picture of every frame out."""
