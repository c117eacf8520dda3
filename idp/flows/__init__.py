"""What a person does in a browser: one module per journey. Parse, call one use case, render."""
