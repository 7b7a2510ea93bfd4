"""`datakit evaluate`: two folders of label pictures in, J and F out, or every reason why they do not fit."""
