"""Why a run ended, what to try, and writing it down."""
