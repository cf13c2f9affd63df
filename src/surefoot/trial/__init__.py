"""Trial: a labelled file through a feature's ladder, exactly as live traffic would go, with the bill and the error bars."""
