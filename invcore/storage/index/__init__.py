"""An index of a store's runs, so that a listing of 10,000 of them need not read them."""
