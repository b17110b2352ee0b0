"""Pages of a list; whatever is asked for, no answer has more than 200 rows."""

from __future__ import annotations

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """`?page=&page_size=`; a senseless size is the default, a page beyond the end a 404."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 200
