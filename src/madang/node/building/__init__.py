"""Carries out what `node/images/build` plans: files copied, programs run, layers made, the image in the store."""
