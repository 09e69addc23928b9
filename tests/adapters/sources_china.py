"""Recordings of the Chinese public clouds."""

from __future__ import annotations

import json

from loopback import Reply, recorded
from source import Source


def answer(document, status=200):
    """With a newline at the end, as the files have."""
    return Reply(json.dumps(document, ensure_ascii=False).encode() + b"\n", status)


def alibaba(request):
    query = request.query
    match query["Action"]:
        case "DescribeInstanceTypes":
            return f"alibaba/types.{2 if 'NextToken' in query else 1}.json"
        case "DescribeAvailableResource":
            return "alibaba/stock.json"
        case "DescribePrice":
            found = json.loads(recorded("alibaba/prices.json"))
            reply = found[query["InstanceType"]][query["PriceUnit"]]
        case "DescribeSpotPriceHistory":
            pages = json.loads(recorded("alibaba/spot.json"))[query["InstanceType"]]
            after = {page["NextOffset"]: i + 1 for i, page in enumerate(pages[:-1])}
            reply = pages[after[int(query["Offset"])] if "Offset" in query else 0]
    return answer(reply, 404 if "Code" in reply else 200)


def tencent(request):
    action = request.headers["x-tc-action"]
    name = "configs" if action == "DescribeInstanceTypeConfigs" else "prices"
    return f"tencent/{name}.json"


def huawei(request):
    product = request.json["product_infos"][0]
    found = json.loads(recorded("huawei/ratings.json"))
    ratings = found.get(product["resource_spec"].removesuffix(".linux"), found[""])
    reply = ratings[{None: "hour", 2: "month", 3: "year"}[product.get("period_type")]]
    return answer(reply, 400 if "error_code" in reply else 200)


def volcengine(request):
    query = request.query
    match query["Action"]:
        case "DescribeInstanceTypes":
            return f"volcengine/types.{2 if 'NextToken' in query else 1}.json"
        case "DescribeSpotPriceHistory":
            found = json.loads(recorded("volcengine/spot.json"))
            reply = found.get(query["InstanceTypeId"], found[""])[1 if "NextToken" in query else 0]
        case action:
            item = request.json["ConfigList"][0]
            found = json.loads(recorded("volcengine/prices.json"))
            prices = found.get(item["ConfigurationCode"], found[""])
            hourly = action == "QueryPriceForPayAsYouGo"
            reply = prices["hour" if hourly else str(item["UseDuration"])]
    return answer(reply, 400 if "Error" in reply["ResponseMetadata"] else 200)


CHINA = {
    "alibaba": Source(
        {"/": alibaba},
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        regions=("cn-hangzhou",),
        repeats="alibaba/types.1.json",
    ),
    "huawei": Source(
        {
            "/v3/projects": "huawei/projects.json",
            "/v2/bills/ratings/on-demand-resources": huawei,
            "/v2/bills/ratings/period-resources/subscribe-rate": huawei,
        },
        ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"),
        regions=("cn-north-4", "cn-south-9"),
        pages=2,
    ),
    "tencent": Source(
        {"/": tencent},
        ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"),
        regions=("ap-guangzhou",),
    ),
    "volcengine": Source(
        {"/": volcengine},
        ("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY"),
        regions=("cn-beijing",),
        repeats="volcengine/types.1.json",
    ),
}
