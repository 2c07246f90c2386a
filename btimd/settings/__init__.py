"""Files the operator wrote -> checked values, or every mistake at once with file and line."""
