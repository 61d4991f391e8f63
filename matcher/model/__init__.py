"""What is learned: the encoder, the affinity of one person for another, and the signed artefact that holds both."""
