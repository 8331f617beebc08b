"""The list for the CRM: who is at risk, worth how much, and why. One row a customer.

``decide`` chooses and orders, ``rows`` says what a row holds, ``csv_text`` and ``write`` put it on disk.
"""

__all__: list[str] = []
