"""COCO as others write it: instances, Roboflow's trees, panoptic pictures."""
