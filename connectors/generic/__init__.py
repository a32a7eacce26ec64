"""The ERP nobody wrote a connector for: `rest` speaks JSON over HTTP, `files` leaves and fetches files.

Both say the same things in the same shape. `shapes.py` is our documents as others see them, `records.py` what flows in,
`values.py` how a name such as `item.no` finds its value. Which name the other system uses is told in settings.
"""
