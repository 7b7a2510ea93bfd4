"""Settings of trainings that take a second: on few small cuts, on one thread, with validations in between."""

TINY_RUN = ("--init", "none", "--batch", "2", "--workers", "0", "--precision", "fp32", "--threads", "1",
            "--set", "view.size=32", "--set", "validation_every=2", "--set", "validation_samples=2",
            "--set", "validation_share=0.6")  # fmt: skip
