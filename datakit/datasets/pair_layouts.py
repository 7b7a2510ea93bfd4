"""The table of sets with one mask file to a picture: where each keeps its files, and where that is described.

A new set of that kind is a new row.
"""

from __future__ import annotations

from .pairs import COMMON, REPACKED, ROOT, PairsLayout

# folders of videos, as DAVIS lays them out: (frames, annotations)
VIDEO_FOLDERS = (
    ("JPEGImages/480p", "Annotations/480p"),
    ("JPEGImages/1080p", "Annotations/1080p"),
    ("JPEGImages/Full-Resolution", "Annotations/Full-Resolution"),
    ("JPEGImages", "Annotations"),
    ("DAVIS/JPEGImages/480p", "DAVIS/Annotations/480p"),
)

PAIR_LAYOUTS = (
    PairsLayout(
        "msra10k",
        "MSRA10K_Imgs_GT.zip holds Readme.txt and one folder Imgs with N.jpg and N.png side by side, 10 000 of each"
        " (mmcheng.net/msra10k; Cheng et al., Global Contrast Based Salient Region Detection, TPAMI 2015).",
        ("Imgs/*.jpg", "Imgs/*.png"),
        folders=(REPACKED, ("MSRA10K_Imgs_GT/Imgs", "MSRA10K_Imgs_GT/Imgs"), *COMMON, ROOT),
        stands_for=(REPACKED,),
    ),
    PairsLayout(
        "ecssd",
        "images.zip and ground_truth_mask.zip unpack to images/0001.jpg and ground_truth_mask/0001.png, 1 000 of each"
        " (Shi et al., Hierarchical Image Saliency Detection on Extended CSSD, TPAMI 2016).",
        ("images/*.jpg", "ground_truth_mask/*.png"),
        folders=(("images", "ground_truth_mask"), *COMMON, REPACKED),
    ),
    PairsLayout(
        "sod",
        "SOD.zip itself holds .mat boundaries for the 300 pictures of BSDS300 (Movahedi and Elder, Design and"
        " Perceptual Validation of Performance Measures for Salient Object Segmentation, 2010); what everybody"
        " uses, and what is read here, is the same as pictures with PNG masks.",
        ("Images/*.jpg", "Masks/*.png"),
        folders=(("Images", "Masks"), ("Images", "GT"), ("Image", "GT"), *COMMON, REPACKED),
    ),
    PairsLayout(
        "pascal-s",
        "salObj.zip unpacks to datasets/imgs/pascal/N.jpg and datasets/masks/pascal/N.png, 850 of each, beside other"
        " sets (Li et al., The Secrets of Salient Object Segmentation, CVPR 2014).",
        ("datasets/imgs/pascal/*.jpg", "datasets/masks/pascal/*.png"),
        folders=(("datasets/imgs/pascal", "datasets/masks/pascal"), ("imgs/pascal", "masks/pascal"), *COMMON, REPACKED),
        nature="soft",
    ),
    PairsLayout(
        "duts",
        "DUTS-TR.zip unpacks to DUTS-TR/DUTS-TR-Image/*.jpg and DUTS-TR/DUTS-TR-Mask/*.png, 10 553 of each, DUTS-TE.zip"
        " likewise, 5 019 (Wang et al., Learning to Detect Salient Objects with Image-Level Supervision, CVPR 2017).",
        ("DUTS-TR-Image/*.jpg", "DUTS-TR-Mask/*.png"),
        folders=(
            ("DUTS-TR-Image", "DUTS-TR-Mask"),
            ("DUTS-TR/DUTS-TR-Image", "DUTS-TR/DUTS-TR-Mask"),
            ("DUTS-TE-Image", "DUTS-TE-Mask"),
            ("DUTS-TE/DUTS-TE-Image", "DUTS-TE/DUTS-TE-Mask"),
            *COMMON,
            REPACKED,
        ),
    ),
    PairsLayout(
        "hku-is",
        "HKU-IS.rar unpacks to imgs/*.png (the pictures are PNG) and gt/*.png, 4 447 of each (Li and Yu, Visual"
        " Saliency Based on Multiscale Deep Features, CVPR 2015).",
        ("imgs/*.png", "gt/*.png"),
        folders=(("imgs", "gt"), ("HKU-IS/imgs", "HKU-IS/gt"), *COMMON, REPACKED),
    ),
    PairsLayout(
        "fss-1000",
        "fewshot_data.zip unpacks to one folder per class with 1.jpg … 10.jpg and 1.png … 10.png, 224x224, 1 000"
        " classes (Li et al., FSS-1000: A 1000-Class Dataset for Few-Shot Segmentation, CVPR 2020).",
        ("fewshot_data/*/*.jpg", "fewshot_data/*/*.png"),
        folders=(("fewshot_data", "fewshot_data"), ("fewshot_data/fewshot_data",) * 2, ROOT),
        mixed="folders",
    ),
    PairsLayout(
        "pairs",
        "Your own: photos and masks in two folders or in one, a mask file for each photo or for each object, called as"
        " the photo is, with a word (x_mask, x-gt, mask_x, x.jpg.png) or a number (x_0, x/0) beside; see --mask-name.",
        ("images/**/*.jpg", "masks/**/*.png"),
        folders=(*COMMON, ("images", "ground_truth_mask"), ("imgs", "gt"), REPACKED, ROOT),
        stands_for=COMMON,
        mixed="root",
        anywhere=True,
    ),
    PairsLayout(
        "voc",
        "VOCtrainval_11-May-2012.tar unpacks to VOCdevkit/VOC2012 with JPEGImages/*.jpg (17 125) and, for the 2 913"
        " segmented ones, SegmentationObject/*.png: palette pictures, one index per object, 255 on contours and"
        " difficult regions (Everingham et al., The PASCAL Visual Object Classes Challenge, 2012).",
        ("JPEGImages/*.jpg", "SegmentationObject/*.png"),
        min_area=400,  # 20x20 pixels; objects below are mostly annotation noise
        folders=(
            ("JPEGImages", "SegmentationObject"),
            ("VOCdevkit/VOC2012/JPEGImages", "VOCdevkit/VOC2012/SegmentationObject"),
            ("VOC2012/JPEGImages", "VOC2012/SegmentationObject"),
        ),
        unpaired="left-out",
        nature="ids",
    ),
    PairsLayout(
        "videos",
        "DAVIS unpacks to JPEGImages/480p/SEQ/00000.jpg and Annotations/480p/SEQ/00000.png: grey 0 and 255 in 2016,"
        " palette ids in 2017; YouTube-VOS has the same folders without the resolution and annotates every fifth frame"
        " (Perazzi et al., CVPR 2016; Pont-Tuset et al., arXiv 1704.00675).",
        ("JPEGImages/480p/*/*.jpg", "Annotations/480p/*/*.png"),
        is_video=True,
        folders=VIDEO_FOLDERS,
        unpaired="left-out",
        nature="ids",
    ),
)
