#!/bin/bash
# qps_concurrency_test.sh - 固定QPS测试脚本

TARGET_QPS=20  # 目标QPS
MODEL_PATH="/path/to/your/model"

echo "🎯 目标QPS: $TARGET_QPS"

# 测试不同并发度下能否达到目标QPS
for concurrency in 10 20 50 100 200; do
    echo "📊 测试并发度: $concurrency"
    
    python benchmark_serving.py \
        --backend vllm \
        --model $MODEL_PATH \
        --dataset-name random \
        --num-prompts 1000 \
        --request-rate $TARGET_QPS \
        --max-concurrency $concurrency \
        --random-input-len 512 \
        --random-output-len 128 \
        --result-filename "qps_${TARGET_QPS}_concurrency_${concurrency}.json"
    
    # 检查实际达到的QPS
    ACTUAL_QPS=$(grep "Request throughput" *.log | tail -1 | awk '{print $4}')
    echo "实际QPS: $ACTUAL_QPS"
    
    # 如果达到目标QPS，记录最小所需并发度
    if (( $(echo "$ACTUAL_QPS >= $TARGET_QPS * 0.95" | bc -l) )); then
        echo "✅ 达到目标QPS！最小并发度: $concurrency"
        break
    fi
done
