"""What was seen of an order."""

from uuid import UUID

from sqlalchemy.orm import Mapped

import tongshang as ts


class Note(ts.TenantOwned, ts.Model):
    __tablename__ = "note"
    __table_args__ = ({"schema": "plugin_foreign"},)

    id: Mapped[ts.uuid_pk]
    order_id: Mapped[UUID]
