"""What students run on their own notebook before they hand it in; needs nothing but Python."""
