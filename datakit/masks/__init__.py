"""Masks: what their values mean, and what each use makes of that.

`values` holds the one rule, `policies` what builds, propagation and scores ask beside it, `colours` and `flat_areas`
what the rule looks at. Decoding of files is left to `mask_files`.
"""

from .colours import ALIKE, Colour
from .flat_areas import rims_of_ids
from .policies import GIVEN, GIVEN_OBJECTS, SCORED, STILLS, Policy, decode, is_unnumbered, read_label_map, why_empty
from .values import IGNORE_LABEL, MANY_OBJECTS, LabelMap, Nature, objects_in_colours, plain_labels

__all__ = [
    "ALIKE",
    "GIVEN",
    "GIVEN_OBJECTS",
    "IGNORE_LABEL",
    "MANY_OBJECTS",
    "SCORED",
    "STILLS",
    "Colour",
    "LabelMap",
    "Nature",
    "Policy",
    "decode",
    "is_unnumbered",
    "objects_in_colours",
    "plain_labels",
    "read_label_map",
    "rims_of_ids",
    "why_empty",
]
