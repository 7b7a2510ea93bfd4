"""Segmented videos: frames in, label pictures and their colours, masks that somebody drew, a film to look at."""
