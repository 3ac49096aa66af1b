"""Operations of colour and shape."""
