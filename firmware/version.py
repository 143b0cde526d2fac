"""The version of the firmware (3/3, 3/19); the distribution's, and checked to be."""

VERSION = "0.1.0"
