"""Numbers and code tables that every department shares, checked here and nowhere else.

Standards: GB 11643 (citizen identity numbers), GB 32100 and GB 11714 (unified social credit and organisation codes),
GB/T 2260 (divisions), GB/T 2261.1 and 2261.2 (sex, marital status), GB/T 3304 (ethnic groups), GB/T 4761 (household
relations). Nobody owns rows here: the tables ship with the code, and the divisions of a province are pack content.

* ``identity_numbers.parse_identity_number`` and ``make_identity_number``
* ``credit_codes.parse_credit_code`` and ``make_credit_code``
* ``queries.find_division``, ``queries.get_table``
* ``masking.mask_name``, ``mask_number``, ``mask_phone``

* ``new_id`` (UUIDv7)

No message made here contains the number it speaks about.
"""

from furong.foundation.codes.ids import new_id

__all__ = ["new_id"]
